using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>Reads topics in byte order and tells of each whether a filter matches, and if not, before which one it cannot match again.</summary>
/// <remarks>
/// The filter `+/state` over `a/set`, `a/state`, `a/x/1` … `a/x/999`, `b/state`:
/// <list type="bullet">
/// <item>`a/set`: `e` is below the `t` it should be, so go on at `a/state`;</item>
/// <item>`a/state`: a match, go on at the next topic;</item>
/// <item>`a/x/1`: `x` is above `s`, so nothing more begins with `a/` and matches. Another first level is needed: go on at `a0`
/// (`0` follows `/`), which passes over all the `a/x/…` and lands on `b/state`.</item>
/// </list>
/// Cost: one seek for each value that a `+` takes, not one step for each topic below it.
/// </remarks>
internal ref struct FilterScan(ReadOnlySpan<byte> filter)
{
    private const byte AfterSeparator = TopicLevels.Separator + 1;
    private const byte AfterDollar = (byte)'$' + 1;

    private readonly ReadOnlySpan<byte> filter = filter;
    private byte[] target = new byte[64];
    private int targetLength;

    /// <summary>What a topic means for the scan.</summary>
    public enum Verdict
    {
        /// <summary>The filter matches.</summary>
        Match,

        /// <summary>It does not match, nor does any topic below <see cref="Target"/>.</summary>
        Skip,

        /// <summary>Neither this topic nor any later one matches.</summary>
        End,
    }

    /// <summary>After a skip: the lowest key that might match.</summary>
    public readonly ReadOnlySpan<byte> Target => target.AsSpan(0, targetLength);

    /// <summary>The lowest key that might match at all: the filter up to its first wildcard, without the separator that `#` does not need.</summary>
    public readonly ReadOnlySpan<byte> First => LiteralRun(0);

    /// <summary>Judges one topic.</summary>
    public Verdict Judge(ReadOnlySpan<byte> topic)
    {
        if (topic[0] == (byte)'$' && filter[0] is (byte)'+' or (byte)'#') return SkipTo([], [AfterDollar]); // [MQTT-4.7.2-1]
        var at = 0; // in the topic
        var next = 0; // in the filter
        var variable = -1; // where in the topic the level ends that the last `+` took
        while (true)
        {
            var same = filter[next..].CommonPrefixLength(topic[at..]);
            (at, next) = (at + same, next + same);
            if (next == filter.Length)
            {
                if (at == topic.Length) return Verdict.Match;
                break;
            }

            if (filter[next] == (byte)'#') return Verdict.Match;
            if (filter[next] == (byte)'+')
            {
                var length = topic[at..].IndexOf(TopicLevels.Separator);
                variable = at = length < 0 ? topic.Length : at + length;
                next++;
                continue;
            }

            if (at == topic.Length && IsParentOfHash(next)) return Verdict.Match;
            if (at == variable && at == topic.Length) return SkipTo(topic, [0]); // `a-` comes before `a/`: the next value of the `+` may be near
            if (at < topic.Length && topic[at] > filter[next]) break;
            return SkipTo(topic[..at], IsParentOfHash(next) ? filter.Slice(next, 1) : LiteralRun(next));
        }

        // What follows is above every match with these values of `+`: the last `+` has to take another.
        return variable < 0 ? Verdict.End : SkipTo(topic[..variable], [AfterSeparator]);
    }

    private readonly bool IsParentOfHash(int next) => filter[next..] is [TopicLevels.Separator, (byte)'#'];

    private readonly ReadOnlySpan<byte> LiteralRun(int from)
    {
        var rest = filter[from..];
        var wildcard = rest.IndexOfAny((byte)'+', (byte)'#');
        if (wildcard < 0) return rest;
        return rest[wildcard] == (byte)'#' && wildcard > 0 ? rest[..(wildcard - 1)] : rest[..wildcard];
    }

    private Verdict SkipTo(ReadOnlySpan<byte> start, scoped ReadOnlySpan<byte> end)
    {
        targetLength = start.Length + end.Length;
        if (target.Length < targetLength) target = new byte[targetLength * 2];
        start.CopyTo(target);
        end.CopyTo(target.AsSpan(start.Length));
        return Verdict.Skip;
    }
}
