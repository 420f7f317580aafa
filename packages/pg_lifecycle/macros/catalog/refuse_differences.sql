{# Stops if there are differences between a relation and its model that cannot be applied in place; names each. #}
{% macro refuse_differences(relation, differences) %}
    {%- if differences -%}
        {%- do exceptions.raise_compiler_error(
            'model ' ~ model.name ~ ': ' ~ relation.render()
            ~ ' differs from its model in a way that cannot be changed in place:\n  - ' ~ differences | join('\n  - ')
            ~ '\nNothing was changed. '
            ~ ("A column that the model no longer has is taken out, with its values, by\n"
                ~ "  dbt run-operation drop_column --args '{model: " ~ model.name ~ ", column: ..., dry_run: false}'\n"
                if ' is in the table but not in the model' in differences | join else '')
            ~ pg_lifecycle.retire_advice()
        ) -%}
    {%- endif -%}
{% endmacro %}
