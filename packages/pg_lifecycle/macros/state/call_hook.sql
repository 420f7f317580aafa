{#
    Calls the macro that a config names, `my_macro` or `my_package.my_macro`, with the further arguments, at run time:
    there `ref` and `source` give the relations of this target, whatever their schemas are called. setting: for the
    error.
#}
{% macro call_hook(setting, name, node=none) %}
    {%- set path = (name | string).split('.') -%}
    {%- set found = context.get(path[0]) if path | length == 1 else (context.get(path[0]) or {}).get(path[1]) -%}
    {%- if found is not callable -%}
        {%- do pg_lifecycle.refuse(
            setting, "'" ~ name ~ "'", 'the name of a macro, of a package: package.macro', node
        ) -%}
    {%- endif -%}
    {{- return(found(*varargs) | trim) -}}
{% endmacro %}
