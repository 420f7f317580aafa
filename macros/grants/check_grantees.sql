{#
    on-run-start hook: stops a run, before it changes anything, if a role that `grants` names does not exist.

    advice: what to do, for the message. Asks the database only where some model has grants. Returns no SQL.
#}
{% macro check_grantees(advice) %}
    {%- set wanted = [] -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- for grantees in (node.config.grants or {}).values() -%}
                {%- do wanted.extend([grantees] if grantees is string else grantees) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if wanted -%}
        {%- set quoted = [] -%}
        {%- for role in wanted | unique if role | lower != 'public' -%}
            {%- do quoted.append("'" ~ role | replace("'", "''") ~ "'") -%}
        {%- endfor -%}
        {%- set missing_sql -%}
            select role from unnest(array[{{ quoted | join(', ') }}]::text[]) as wanted (role)
            where role not in (select rolname from pg_catalog.pg_roles)
        {%- endset -%}
        {%- set missing = run_query(missing_sql).columns[0].values() | list -%}
        {%- if missing -%}
            {%- do exceptions.raise_compiler_error(
                "grants: there is no role " ~ missing | join(', ') ~ " in this database. Nothing was changed. " ~ advice
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
