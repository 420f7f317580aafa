{% snapshot historia_producto %}

{{ config(
    strategy='versions',
    unique_key=['producto_id', 'valido_desde'],
    snapshot_meta_column_names={'dbt_valid_from': 'valido_desde', 'dbt_valid_to': 'valido_hasta'},
    delete_missing=true,
) }}

-- Grain: one row per product and version of its attributes.
-- Additive: nothing.

{{ attribute_history('int_productos_evaluados', 'raw_productos', 'producto_id', [
    'sku',
    'nombre_producto',
    'marca',
    'categoria',
    'subcategoria',
    'precio_lista',
    'costo_unitario',
    'iva_pct',
    'unidad_medida',
    'piezas_por_caja',
    'proveedor',
    'fecha_lanzamiento',
    'fecha_retiro',
    'activo',
]) }}

{% endsnapshot %}
