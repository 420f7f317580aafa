{# The graph node of a model named in an operation; an unknown name stops with the list of what is allowed. #}
{% macro operation_node(model, materialized=none) %}
    {%- set names = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and (not materialized or node.config.materialized == materialized) -%}
        {%- do names.append(node.name) -%}
        {%- if node.name == model -%}
            {{- return(node) -}}
        {%- endif -%}
    {%- endfor -%}
    {%- do exceptions.raise_compiler_error(
        "model: got '" ~ model ~ "', allowed are " ~ (names | sort | join(', '))
    ) -%}
{% endmacro %}


{# The relation of a graph node. #}
{% macro operation_relation(node) %}
    {{- return(api.Relation.create(node.database, node.schema, node.alias)) -}}
{% endmacro %}


{# Logs a plan and, unless it is a dry run, runs it as one transaction. #}
{% macro run_operation(name, plan, sql, dry_run) %}
    {%- do log(name ~ (' (dry run: nothing is changed; add dry_run: false to do it)' if dry_run else ''), info=True) -%}
    {%- for line in plan -%}
        {%- do log('  ' ~ line, info=True) -%}
    {%- endfor -%}
    {%- if not plan -%}
        {%- do log('  nothing to do', info=True) -%}
    {%- elif not dry_run -%}
        {%- do run_in_transaction(name, sql, synchronous=true) -%}
    {%- endif -%}
{% endmacro %}
