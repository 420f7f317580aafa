{#
    The state that a materialization keeps with a relation: SQL text of type jsonb, null where none is kept.

    The state is a line of JSON at the end of the relation's COMMENT. A comment is transactional, so it can never
    disagree with the relation it describes; it goes when the relation goes, and travels with a dump. Anybody who owns
    the relation can write a comment, so only a flat object of texts and numbers, as written here, counts as a state:
    anything else is none (see `warn_of_unreadable_state`), and what it was built from is built again.

    Every plan reads hundreds of states: the text is matched, not captured, which would cost a regular expression twenty
    times as much, and is read from the catalog, not by obj_description(), which is called once for each.

    Keys: `version` (changes whenever the content may have changed), `sources` (hash of the versions it was built from),
    `definition` (hash of the normalised SQL), `rows`, `built_at`, `data_through` where the config asks for it.
#}
{% macro state_of(oid_sql) %}
    {%- set pair = '"\\w+": (?:"[^"\\\\]*"|\\d+)' -%}
    {{- return(
        "(select case when dbt_state.text ~ '^\\{(?:" ~ pair ~ "(?:, " ~ pair ~ ")*)?\\}\\s*$'"
        ~ " then dbt_state.text::jsonb end from (select split_part(pg_description.description, 'dbt_state: ', -1)"
        ~ " as text from pg_catalog.pg_description where pg_description.objoid = " ~ oid_sql
        ~ " and pg_description.classoid = 'pg_catalog.pg_class'::regclass and pg_description.objsubid = 0"
        ~ " and strpos(pg_description.description, 'dbt_state: ') > 0 offset 0) as dbt_state)"
    ) -}}
{% endmacro %}
