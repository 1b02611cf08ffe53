-- Makes or mends the account `:service`, which owns the database of its name and may enter no other of ours.
\connect postgres
SELECT format('CREATE ROLE %I LOGIN', :'service')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') \gexec
ALTER ROLE :"service" PASSWORD :'password';

SELECT format('CREATE DATABASE %I OWNER %I ENCODING ''UTF8'' TEMPLATE template0', :'service', :'service')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
ALTER DATABASE :"service" OWNER TO :"service";
REVOKE CONNECT, TEMPORARY ON DATABASE :"service" FROM PUBLIC;

-- What an older version made under another account.
\connect :"service"
SELECT format('ALTER TABLE public.%I OWNER TO %I', tablename, :'service')
FROM pg_tables WHERE schemaname = 'public' AND tableowner <> :'service' \gexec
SELECT format('ALTER ROUTINE public.%I(%s) OWNER TO %I', proname, pg_get_function_identity_arguments(oid), :'service')
FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND pg_get_userbyid(proowner) <> :'service' \gexec
