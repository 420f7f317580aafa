{# The var `complete_day_share`, judged. #}
{% macro complete_day_share() %}
    {{- return(share_var('complete_day_share')) -}}
{% endmacro %}
