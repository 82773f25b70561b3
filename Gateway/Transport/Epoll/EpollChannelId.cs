using System.Globalization;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>A channel's number within this process: 24 bytes where DotNetty's own id with machine and process takes over 100.</summary>
internal sealed class EpollChannelId : IChannelId
{
    // A random start keeps the ids in the logs of two runs apart.
    private static long last = Random.Shared.NextInt64(1L << 48);

    private readonly long number = Interlocked.Increment(ref last);

    public string AsShortText() => ((uint)number).ToString("x8", CultureInfo.InvariantCulture);

    public string AsLongText() => number.ToString("x16", CultureInfo.InvariantCulture);

    public int CompareTo(IChannelId? other)
        => other is EpollChannelId id ? number.CompareTo(id.number) : string.CompareOrdinal(AsLongText(), other?.AsLongText());

    public override bool Equals(object? obj) => obj is EpollChannelId id && id.number == number;

    public override int GetHashCode() => number.GetHashCode();

    public override string ToString() => AsShortText();
}
