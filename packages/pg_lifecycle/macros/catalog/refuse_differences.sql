{# Stops if there are differences between a relation and its model that cannot be applied in place; names each. #}
{% macro refuse_differences(relation, differences) %}
    {%- if differences -%}
        {%- do exceptions.raise_compiler_error(
            'model ' ~ model.name ~ ': ' ~ relation.render()
            ~ ' differs from its model in a way that cannot be changed in place:\n  - ' ~ differences | join('\n  - ')
            ~ '\nNothing was changed. ' ~ pg_lifecycle.retire_advice()
        ) -%}
    {%- endif -%}
{% endmacro %}
