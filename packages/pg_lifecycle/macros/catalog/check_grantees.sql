{#
    on-run-start hook. Asks the database only where some model has grants. Returns no SQL.
#}
{% macro check_grantees(advice) %}
    {%- set wanted = [] -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'snapshot') -%}
        {%- for node in graph.nodes.values() if node.resource_type in ('model', 'snapshot') -%}
            {%- for grantees in (node.config.grants or {}).values() -%}
                {%- do wanted.extend([grantees] if grantees is string else grantees) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if wanted -%}
        {%- set roles = [] -%}
        {%- for role in wanted | unique if role | lower != 'public' -%}
            {%- do roles.append(pg_lifecycle.literal(role)) -%}
        {%- endfor -%}
        {%- set missing_query -%}
            select role from unnest(array[{{ roles | join(', ') }}]::text[]) as wanted (role)
            where role not in (select rolname from pg_catalog.pg_roles)
        {%- endset -%}
        {%- set missing = run_query(missing_query).columns[0].values() | list -%}
        {%- if missing -%}
            {%- do exceptions.raise_compiler_error(
                'grants: there is no role ' ~ missing | join(', ') ~ ' in this database. Nothing was changed. ' ~ advice
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
