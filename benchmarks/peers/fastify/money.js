// Amounts without floats: text or JSON number -> hundredths in a BigInt -> text.

const AMOUNT = /^[0-9]{1,10}(\.[0-9]{1,2})?$/;

/** Whether it is an amount with at most two decimals; String() of a number is its shortest exact spelling. */
export function isAmount(value) {
  return AMOUNT.test(String(value));
}

/** Hundredths of what `isAmount` has let through. */
export function hundredthsOf(amount) {
  const [whole, fraction = ''] = String(amount).split('.');
  return BigInt(whole + fraction.padEnd(2, '0'));
}

/** `1999n` is `19.99`. */
export function textOf(hundredths) {
  const digits = hundredths.toString().padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
