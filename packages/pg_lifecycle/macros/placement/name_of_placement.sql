{# A placement as `placement_of` has it, in words. #}
{% macro name_of_placement(placement) %}
    {{- return({
        'distributed': 'distributed by ' ~ placement.column, 'reference': 'a reference table',
        'local': 'on the coordinator only',
    }[placement.kind]) -}}
{% endmacro %}
