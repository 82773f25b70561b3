using System.Runtime.InteropServices;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Storage;

namespace Broker.Grains.Sessions;

/// <summary>Which QoS 2 messages from other nodes a durable session has had: of each source and shard the highest number, and which of those just below it.
/// Under the session's lock.</summary>
/// <remarks>The highest number is stored with the queue. What a source sends by one shard comes in order, but what was refused, by this activation or by one that
/// has gone, comes again behind others: so the numbers since the session came up are known one by one.</remarks>
internal sealed class SessionOrigins
{
    private readonly Dictionary<(long Source, int Shard), Window> windows = [];

    public SessionOrigins(IEnumerable<OriginMark> stored)
    {
        foreach (var mark in stored) windows[(mark.Source, mark.Shard)] = new Window { Highest = mark.Number };
    }

    /// <summary>False if the session has had the message.</summary>
    public bool TryAdd(MessageOrigin origin, int shard) => CollectionsMarshal.GetValueRefOrAddDefault(windows, (origin.Source, shard), out _).TryAdd(origin.Number);

    /// <summary>The message could not be stored: it may come again, although others may have come after it.</summary>
    public void Refuse(MessageOrigin origin, int shard) => CollectionsMarshal.GetValueRefOrAddDefault(windows, (origin.Source, shard), out _).Remove(origin.Number);

    /// <summary>As a receiver keeps them against replay (RFC 6479): a ring of bits, one for each number up to the highest.</summary>
    private struct Window
    {
        /// <summary>As many as a publisher has under way; what is older counts as had.</summary>
        private const int Length = 1_024;

        /// <summary>By number modulo <see cref="Length"/>; null while nothing has come since the session came up: then all are had.</summary>
        private ulong[]? had;

        public long Highest { get; set; }

        public bool TryAdd(long number)
        {
            if (number <= Highest - Length || (number <= Highest && (had is null || Has(number)))) return false;
            if (had is null)
            {
                had = new ulong[Length / 64];
                Array.Fill(had, ulong.MaxValue);
            }

            if (number - Highest >= Length) Array.Clear(had);
            else for (var between = Highest + 1; between < number; between++) Clear(between);
            Highest = Math.Max(Highest, number);
            had[number % Length / 64] |= Bit(number);
            return true;
        }

        public readonly void Remove(long number)
        {
            if (had is not null && number > Highest - Length && number <= Highest) Clear(number);
        }

        private readonly bool Has(long number) => (had![number % Length / 64] & Bit(number)) != 0;

        private readonly void Clear(long number) => had![number % Length / 64] &= ~Bit(number);

        private static ulong Bit(long number) => 1UL << (int)(number % 64);
    }
}
