{% snapshot historia_tienda %}

{{ config(
    strategy='versions',
    unique_key=['tienda_id', 'valido_desde'],
    snapshot_meta_column_names={'dbt_valid_from': 'valido_desde', 'dbt_valid_to': 'valido_hasta'},
    delete_missing=true,
) }}

-- Grain: one row per store and version of its attributes.
-- Additive: nothing.

{{ attribute_history('int_tiendas_evaluadas', 'raw_tiendas', 'tienda_id', [
    'codigo_tienda',
    'nombre_tienda',
    'cadena',
    'formato',
    'region',
    'gerencia',
    'ciudad',
    'estado',
    'superficie_m2',
    'fecha_apertura',
    'fecha_cierre',
    'fecha_inicio_remodelacion',
    'fecha_remodelacion',
    'activo',
]) }}

{% endsnapshot %}
