{#
    on-run-start hook: stops a run that sets a var under the name it had before 0.2.0, which would be without effect.
    Returns no SQL.
#}
{% macro refuse_renamed_vars() %}
    {%- set renamed = {
        'fecha_corte': 'cutoff_date', 'anos_en_vistas': 'years_in_views', 'max_rechazo': 'max_refused_share',
        'calendario_desde': 'calendar_from', 'calendario_hasta': 'calendar_to',
    } -%}
    {%- for old, new in renamed.items() if var(old, none) is not none -%}
        {%- do exceptions.raise_compiler_error(
            'var ' ~ old ~ ': got ' ~ var(old) ~ ', it is called ' ~ new ~ ' now'
        ) -%}
    {%- endfor -%}
{% endmacro %}
