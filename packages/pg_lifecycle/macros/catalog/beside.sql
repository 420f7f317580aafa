{# The relation of another name in the same schema: a partition, an index, a table under construction. #}
{% macro beside(relation, name) %}
    {{- return(relation.incorporate(path={'identifier': name})) -}}
{% endmacro %}
