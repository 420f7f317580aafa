{#
    SQL (boolean) for a dimension: whether no other row holds the code for good. Only a row that was published from a
    delivery dated later than one that arrived afterwards does: no version of it is published any more, but facts refer
    to it. It keeps the code, and who claims it waits in quarantine, as the night must not fail of it.
#}
{% macro code_is_free(model, key, code) %}
    {%- set published = pg_lifecycle.built_relation(model) -%}
    {%- if not published -%}
        {{- return('true') -}}
    {%- endif -%}
    not exists (
        select
        from {{ published }} as publicada
        where
            publicada.{{ code }} = vigentes.{{ code }}
            and publicada.{{ key }} not in (select {{ key }} from vigentes)
    )
{%- endmacro %}
