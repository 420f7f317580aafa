{#
    The state that a materialization keeps with a relation: SQL text of type jsonb, null where none is kept.

    The state is a line of JSON at the end of the relation's COMMENT. A comment is transactional, so it can never
    disagree with the relation it describes; it goes when the relation goes, and travels with a dump. Anybody who owns
    the relation can write a comment, so only a flat object of texts and numbers, as written here, counts as a state:
    anything else is none (see `warn_of_unreadable_state`), and what it was built from is built again.

    Keys: `version` (changes whenever the content may have changed), `sources` (hash of the versions it was built from),
    `definition` (hash of the normalised SQL), `rows`, `built_at`.
#}
{% macro state_of(oid_sql) %}
    {%- set pair = '"\\w+": (?:"[^"\\\\]*"|\\d+)' -%}
    {{- return(
        "substring(obj_description(" ~ oid_sql ~ ", 'pg_class') from 'dbt_state: (\\{(?:" ~ pair ~ "(?:, " ~ pair
        ~ ")*)?\\})\\s*$')::jsonb"
    ) -}}
{% endmacro %}
