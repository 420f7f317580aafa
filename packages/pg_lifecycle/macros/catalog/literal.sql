{# Text as an SQL literal: the only way that a name or a message gets into a statement other than as an identifier. #}
{% macro literal(text) %}
    {{- return("'" ~ text | string | replace("'", "''") ~ "'") -}}
{% endmacro %}
