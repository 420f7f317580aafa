{# SQL: month (1 = February to 12 = January) of a week of the 4-5-4 calendar; a 53rd week is of the last month. #}
{% macro month_454(week) -%}
    (least(({{ week }} - 1) / 13, 3) * 3 + case
        when {{ week }} - least(({{ week }} - 1) / 13, 3) * 13 <= 4 then 1
        when {{ week }} - least(({{ week }} - 1) / 13, 3) * 13 <= 9 then 2
        else 3
    end)::smallint
{%- endmacro %}
