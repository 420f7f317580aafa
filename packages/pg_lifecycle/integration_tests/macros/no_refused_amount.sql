{# publish_check: null, or why the built period may not be published. #}
{% macro no_refused_amount(built, lower, upper) %}
select 'a sale of ' || min("Amount paid") || ' between {{ lower }} and {{ upper }}' from {{ built }}
where "Amount paid" < 0 having count(*) > 0
{% endmacro %}
