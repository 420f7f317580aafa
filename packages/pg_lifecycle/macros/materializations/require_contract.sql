{# Stops a model whose materialization makes tables from its contract, and that has none. #}
{% macro require_contract() %}
    {%- if not config.get('contract').enforced -%}
        {%- do pg_lifecycle.refuse(
            'contract', 'none that is enforced', 'contract: {enforced: true} with a data_type for each column; '
            ~ 'a ' ~ config.get('materialized') ~ ' model needs an enforced contract, its tables are made from it'
        ) -%}
    {%- endif -%}
{% endmacro %}
