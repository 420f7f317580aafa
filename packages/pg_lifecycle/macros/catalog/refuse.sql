{#
    Stops with an error that names the model, its setting, what was got and what is allowed, which is what to write
    instead. Nothing of the model was changed: call it before the first statement that changes something.
#}
{% macro refuse(what, got, allowed, node=none) %}
    {%- set node = node or model -%}
    {%- do exceptions.raise_compiler_error(
        'model ' ~ node.name ~ ', ' ~ what ~ ': got ' ~ got ~ '; allowed: ' ~ allowed
    ) -%}
{% endmacro %}
