{#
    Stops with an error that names the model, what was got, what is allowed and what to do. Nothing was changed: call it
    before the first statement that changes something.
#}
{% macro refuse(what, got, allowed, node=none) %}
    {%- set node = node or model -%}
    {%- do exceptions.raise_compiler_error(
        'model ' ~ node.name ~ ', ' ~ what ~ ': got ' ~ got ~ '; allowed: ' ~ allowed
    ) -%}
{% endmacro %}
