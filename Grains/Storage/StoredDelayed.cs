using System.Globalization;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Storage;

/// <summary>The place of a message that waits: they lie in the order of their times.</summary>
/// <param name="Partition">Whose it is.</param>
/// <param name="DueAt">When it is to be published, in Unix milliseconds.</param>
/// <param name="Number">Ascending in the partition, in the order in which they came.</param>
internal readonly record struct DelayedKey(int Partition, long DueAt, long Number)
{
    /// <summary>The session key under which a partition's <see cref="OriginMark"/>s lie; no session has a negative one.</summary>
    public static long OriginOwner(int partition) => -1L - partition;

    /// <summary>Reads what <see cref="ToString"/> has written.</summary>
    public static bool TryParse(string text, out DelayedKey key)
    {
        key = default;
        if (text.Length != 32 || !int.TryParse(text.AsSpan(0, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var partition)
            || !long.TryParse(text.AsSpan(4, 12), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var dueAt)
            || !long.TryParse(text.AsSpan(16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)) return false;
        key = new DelayedKey(partition, dueAt, number);
        return true;
    }

    /// <summary>32 hexadecimal digits, as EMQ X's message identifiers are.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Partition:X4}{DueAt:X12}{Number:X16}");
}

/// <summary>A message that waits, as it lies in the store.</summary>
/// <param name="Origin">The name between nodes that it was given before it was published for the first time; null if it was not yet, or needs none.</param>
internal sealed record StoredDelayed(DelayedKey Key, ApplicationMessage Message, MessageOrigin? Origin);

/// <summary>What is told of a message that waits, without its payload.</summary>
internal sealed record DelayedHead(DelayedKey Key, long ReceivedAt, string Topic, Qos Qos, bool Retain, string Publisher, string? UserName, long PayloadBytes);

/// <summary>What a partition must know of its messages.</summary>
/// <param name="Count">How many wait.</param>
/// <param name="NextDue">When the next is due, in Unix milliseconds; <see cref="long.MaxValue"/> if none is.</param>
/// <param name="LastNumber">The highest number; 0 if there is none.</param>
internal readonly record struct DelayedState(long Count, long NextDue, long LastNumber);

/// <summary>Reads messages that wait. Any thread, as many reads at once as <see cref="IStoreDatabase.ReadsAtOnce"/> says.</summary>
internal interface IDelayedReader
{
    /// <summary>What a partition must know when it comes up.</summary>
    DelayedState ReadState(int partition);

    /// <summary>What a partition has taken that came with an origin.</summary>
    IReadOnlyList<OriginMark> ReadOrigins(int partition);

    /// <summary>Those that are due, in the order of their times.</summary>
    /// <param name="limit">Most to return.</param>
    /// <param name="maxBytes">Bodies to return beyond which no further one is read.</param>
    IReadOnlyList<StoredDelayed> ReadDue(int partition, long nowMs, int limit, long maxBytes);

    /// <summary>When the next is due, in Unix milliseconds; <see cref="long.MaxValue"/> if none waits.</summary>
    long ReadNext(int partition);

    /// <summary>A page of them in the order of their times.</summary>
    /// <param name="after">The last one of the page before; null to begin.</param>
    /// <param name="skip">How many to leave out.</param>
    /// <param name="limit">Most to return; fewer means the end.</param>
    IReadOnlyList<DelayedHead> ReadHeads(int partition, DelayedKey? after, long skip, int limit);

    /// <summary>One of them; null if it is not there.</summary>
    (DelayedHead Head, ApplicationMessage Message)? Find(DelayedKey key);
}
