{# Says, once in a run, of which parents nothing tells whether they changed: what reads them is built in every run. #}
{% macro log_unknown(relation, origins) %}
    {%- if origins -%}
        {%- do pg_lifecycle.log_decision(
            relation, 'nothing tells whether ' ~ origins | join(', ') ~ ' changed, so it is built on every run;'
            ~ ' meta.versions of a source tells, or ignores_changes_of leaves it out'
        ) -%}
    {%- endif -%}
{% endmacro %}
