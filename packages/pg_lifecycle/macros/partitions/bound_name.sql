{# The name of the CHECK that equals the bound of a partition under construction: ATTACH then needs no scan. #}
{% macro bound_name(new) %}
    {{- return(pg_lifecycle.shorten_name(new.identifier ~ '_bound')) -}}
{% endmacro %}
