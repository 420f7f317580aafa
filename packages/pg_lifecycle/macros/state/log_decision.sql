{# One line in dbt's log for each DDL decision: `shop.sales_p202401: build, the source changed`. #}
{% macro log_decision(relation, decision) %}
    {%- do log('  ' ~ relation.schema ~ '.' ~ relation.identifier ~ ': ' ~ decision, info=True) -%}
{% endmacro %}
