using System.Buffers.Binary;

namespace Broker.Grains.Routing;

/// <summary>Keeps the labels of trie nodes: short byte strings, millions of them, without an object for each.</summary>
/// <remarks>
/// A label of up to 255 bytes lies in a chunk as one length byte and its text, padded to units of four bytes; its handle is the number
/// of its first unit. `cmd` takes one unit, `3f2c…/cmd` (40 bytes) eleven. A released block joins the free list of its size, the link kept
/// in its own first unit. Longer labels are arrays of their own, with negative handles.
/// </remarks>
internal sealed class LabelArena
{
    private const int MaxShort = 255;
    private const int UnitBytes = 4;
    private const int ChunkUnits = 1 << 13; // 32 KiB: below the large object heap, small enough for a shard with little in it
    private const int NoBlock = -1;

    private readonly List<byte[]> chunks = [];
    private readonly List<byte[]> longLabels = [];
    private readonly Stack<int> freeLongLabels = new();
    private readonly int[] freeBySize = new int[UnitsFor(MaxShort) + 1];
    private int nextUnit;

    public LabelArena() => Clear();

    /// <summary>The label's bytes; valid until it is released.</summary>
    public ReadOnlySpan<byte> this[int handle]
    {
        get
        {
            if (handle < 0) return longLabels[~handle];
            var chunk = chunks[handle / ChunkUnits];
            var at = handle % ChunkUnits * UnitBytes;
            return chunk.AsSpan(at + 1, chunk[at]);
        }
    }

    /// <summary>Copies a label in.</summary>
    /// <returns>The handle under which it is kept.</returns>
    public int Store(ReadOnlySpan<byte> label)
    {
        if (label.Length > MaxShort) return StoreLong(label.ToArray());
        var handle = TakeBlock(UnitsFor(label.Length));
        var block = Block(handle);
        block[0] = (byte)label.Length;
        label.CopyTo(block[1..]);
        return handle;
    }

    /// <summary>Gives the label's space back.</summary>
    public void Release(int handle)
    {
        if (handle < 0)
        {
            longLabels[~handle] = [];
            freeLongLabels.Push(~handle);
        }
        else
        {
            Free(handle, UnitsFor(Block(handle)[0]));
        }
    }

    /// <summary>Forgets every label and returns the memory.</summary>
    public void Clear()
    {
        chunks.Clear();
        longLabels.Clear();
        freeLongLabels.Clear();
        Array.Fill(freeBySize, NoBlock);
        nextUnit = 0;
    }

    private static int UnitsFor(int labelBytes) => labelBytes / UnitBytes + 1;

    private int StoreLong(byte[] label)
    {
        if (freeLongLabels.TryPop(out var at))
        {
            longLabels[at] = label;
            return ~at;
        }

        longLabels.Add(label);
        return ~(longLabels.Count - 1);
    }

    private int TakeBlock(int units)
    {
        var head = freeBySize[units];
        if (head != NoBlock)
        {
            freeBySize[units] = BinaryPrimitives.ReadInt32LittleEndian(Block(head));
            return head;
        }

        var left = chunks.Count * ChunkUnits - nextUnit;
        if (left < units)
        {
            if (left > 0) Free(nextUnit, left); // no label spans two chunks
            nextUnit = checked(chunks.Count * ChunkUnits);
            chunks.Add(new byte[ChunkUnits * UnitBytes]);
        }

        var handle = nextUnit;
        nextUnit += units;
        return handle;
    }

    private void Free(int handle, int units)
    {
        BinaryPrimitives.WriteInt32LittleEndian(Block(handle), freeBySize[units]);
        freeBySize[units] = handle;
    }

    private Span<byte> Block(int handle) => chunks[handle / ChunkUnits].AsSpan(handle % ChunkUnits * UnitBytes);
}
