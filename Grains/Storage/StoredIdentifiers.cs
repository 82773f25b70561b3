using System.Buffers.Binary;

namespace Broker.Grains.Storage;

/// <summary>The stored form of subscription identifiers: 32-bit little-endian numbers, one after another; NULL for none.</summary>
internal static class StoredIdentifiers
{
    /// <summary>Bytes of one identifier.</summary>
    public const int Size = 4;

    /// <param name="to">Exactly <see cref="Size"/> bytes for each.</param>
    public static void Write(int[] identifiers, Span<byte> to)
    {
        for (var i = 0; i < identifiers.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(to[(i * Size)..], identifiers[i]);
    }

    /// <param name="stored">Empty for NULL.</param>
    public static int[] Read(ReadOnlySpan<byte> stored)
    {
        if (stored.IsEmpty) return [];
        var identifiers = new int[stored.Length / Size];
        for (var i = 0; i < identifiers.Length; i++) identifiers[i] = BinaryPrimitives.ReadInt32LittleEndian(stored[(i * Size)..]);
        return identifiers;
    }
}
