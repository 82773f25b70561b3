using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Interfaces.Delayed;

/// <summary>A topic `$delayed/{n}/{topic}`, read once: what is published there waits, and is then published to the topic behind it.</summary>
/// <remarks>As EMQ X has it: n below 4,294,967 is seconds from now on, and from there on a time in Unix seconds. Immutable.</remarks>
public sealed class DelayedTopic
{
    /// <summary>The first n that is a time, and how many seconds ahead one may be.</summary>
    public const long MaxSeconds = 4_294_967;

    private static readonly DelayedTopic Unreadable = new(null, 0);

    private readonly TopicName? inner;
    private readonly long n;

    private DelayedTopic(TopicName? inner, long n) => (this.inner, this.n) = (inner, n);

    /// <summary>The user who publishes there; null if nobody knows, or several do.</summary>
    public string? UserName { get; init; }

    /// <summary>Where the messages go; null if that cannot be read.</summary>
    public TopicName? Target => inner;

    private static ReadOnlySpan<byte> Prefix => "$delayed/"u8;

    /// <summary>Whether a topic begins as one of these does.</summary>
    public static bool Is(TopicName name) => name.Utf8.StartsWith(Prefix);

    /// <summary>Reads a topic that <see cref="Is"/> one. One that has no number of seconds (digits alone), no topic behind it, or another of its kind there is told
    /// of by <see cref="IsAcceptable"/>.</summary>
    public static DelayedTopic Read(TopicName name, string? userName = null)
    {
        Split(name, out var number, out var rest);
        // The parser takes signs too.
        if (number.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !Utf8Parser.TryParse(number, out long n, out _)) return Unreadable;
        return TopicName.TryParse(rest, out var target) && !Is(target) ? new DelayedTopic(target, n) { UserName = userName } : Unreadable;
    }

    /// <summary>The same with a mountpoint before the topic behind the number.</summary>
    /// <returns>Null if that is too long.</returns>
    public static TopicName? Mount(TopicName name, ReadOnlySpan<byte> mountpoint)
    {
        Split(name, out var number, out var rest);
        if (mountpoint.IsEmpty || rest.IsEmpty) return name;
        return TopicName.TryParse([.. Prefix, .. number, (byte)'/', .. mountpoint, .. rest], out var mounted) ? mounted : null;
    }

    /// <summary>Whether it can be read and names no time too far ahead.</summary>
    /// <param name="nowMs">Now, in Unix milliseconds.</param>
    public bool IsAcceptable(long nowMs) => inner is not null && (n < MaxSeconds || n <= nowMs / 1000 + MaxSeconds);

    /// <summary>A message that was published there, as it is to wait.</summary>
    /// <param name="nowMs">Now, in Unix milliseconds.</param>
    /// <returns>False if the topic is not acceptable.</returns>
    public bool TryMake(ApplicationMessage message, long nowMs, [NotNullWhen(true)] out DelayedMessage? waiting)
    {
        // Never before now: what is due is found in the order of its times.
        waiting = IsAcceptable(nowMs) ? new DelayedMessage(message.With(topic: inner), Math.Max(nowMs, n < MaxSeconds ? nowMs + n * 1000 : n * 1000), nowMs, UserName) : null;
        return waiting is not null;
    }

    private static void Split(TopicName name, out ReadOnlySpan<byte> number, out ReadOnlySpan<byte> rest)
    {
        var path = name.Utf8[Prefix.Length..];
        var slash = path.IndexOf((byte)'/');
        number = slash < 0 ? path : path[..slash];
        rest = slash < 0 ? [] : path[(slash + 1)..];
    }
}
