{# The value of an option of dbt's command line; `flags` knows only some of them. #}
{% macro option_of_run(name) %}
    {{- return(invocation_args_dict.get(name, invocation_args_dict.get(name | upper))) -}}
{% endmacro %}
