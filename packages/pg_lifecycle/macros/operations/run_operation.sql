{# Logs a plan and, unless it is a dry run, runs it as one transaction. #}
{% macro run_operation(name, plan, sql, dry_run) %}
    {%- do log(
        name ~ (' (dry run: nothing is changed; add dry_run: false to do it)' if dry_run else ''), info=True
    ) -%}
    {%- for line in plan -%}
        {%- do log('  ' ~ line, info=True) -%}
    {%- endfor -%}
    {%- if not plan -%}
        {%- do log('  nothing to do', info=True) -%}
    {%- elif not dry_run -%}
        {%- do pg_lifecycle.run_in_transaction(name, sql, synchronous=true) -%}
    {%- endif -%}
{% endmacro %}
