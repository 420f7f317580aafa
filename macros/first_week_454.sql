{# SQL: the first week of the month that a week of the 4-5-4 calendar belongs to. #}
{% macro first_week_454(week) -%}
    (least(({{ week }} - 1) / 13, 3) * 13 + case
        when {{ week }} - least(({{ week }} - 1) / 13, 3) * 13 <= 4 then 1
        when {{ week }} - least(({{ week }} - 1) / 13, 3) * 13 <= 9 then 5
        else 10
    end)
{%- endmacro %}
