namespace Broker.Gateway.Transport.Epoll;

/// <summary>Maps the tags that epoll returns to the channels of one loop. Used by the loop's thread alone.</summary>
/// <remarks>
/// The kernel gives a closed descriptor's number to the next connection at once, so an event still waiting in the current batch
/// must not find its successor: a tag is a slot plus the slot's generation, and the generation moves on when the slot is freed.
/// </remarks>
internal sealed class ChannelTable
{
    private Slot[] slots = new Slot[64];
    private int firstFree = -1;
    private int used;

    /// <summary>How many channels are registered.</summary>
    public int Count { get; private set; }

    /// <summary>Gives the channel a tag; never 0.</summary>
    public ulong Add(EpollChannel channel)
    {
        int index = firstFree;
        if (index >= 0)
        {
            firstFree = slots[index].NextFree;
        }
        else
        {
            if (used == slots.Length) Array.Resize(ref slots, used * 2);
            index = used++;
            slots[index].Generation = 1;
        }

        slots[index].Channel = channel;
        Count++;
        return (ulong)slots[index].Generation << 32 | (uint)index;
    }

    /// <summary>The channel the tag was given to; null when it has left.</summary>
    public EpollChannel? Find(ulong tag)
    {
        ref Slot slot = ref slots[(uint)tag];
        return slot.Generation == (uint)(tag >> 32) ? slot.Channel : null;
    }

    public void Remove(ulong tag)
    {
        if (Find(tag) is null) return;
        ref Slot slot = ref slots[(uint)tag];
        slot.Channel = null;
        slot.Generation = slot.Generation == uint.MaxValue ? 1 : slot.Generation + 1;
        slot.NextFree = firstFree;
        firstFree = (int)(uint)tag;
        Count--;
    }

    /// <summary>The channels registered now; a copy, so that they may be closed while it is walked.</summary>
    public List<EpollChannel> Snapshot()
    {
        var channels = new List<EpollChannel>(Count);
        for (int i = 0; i < used; i++)
        {
            if (slots[i].Channel is { } channel) channels.Add(channel);
        }

        return channels;
    }

    private struct Slot
    {
        public EpollChannel? Channel;
        public uint Generation;
        public int NextFree;
    }
}
