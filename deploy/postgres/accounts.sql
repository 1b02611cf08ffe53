-- An account and a database for each service on PostgreSQL, with the passwords of the environment.
--
-- The image runs this when it makes its data, and never again. By hand it may run any number of times, to change a password
-- or to bring older data up to date:
--     docker compose exec postgres sh -c 'psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres -f /docker-entrypoint-initdb.d/accounts.sql'
\set QUIET on

-- rows: databases, by `make rows`

\set service passengers_service
\getenv password PASSENGERS_SERVICE_PASSWORD
\ir account.psql

\set service reservations_service
\getenv password RESERVATIONS_SERVICE_PASSWORD
\ir account.psql

\set service loans_service
\getenv password LOANS_SERVICE_PASSWORD
\ir account.psql
-- end of rows
