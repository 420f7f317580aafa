{#
    Stops an operation, or a run before its first model, with a message and nothing else. raise_compiler_error would add
    the macros that called each other, which help nobody who left out an argument.
#}
{% macro refuse_operation(message) %}
    {%- do exceptions.raise_not_implemented(message) -%}
{% endmacro %}
