using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Routing;

/// <summary>Compares the label of one trie node with a topic, byte by byte.</summary>
internal static class TrieWalk
{
    /// <summary>The label does not match.</summary>
    public const int Mismatch = -1;

    /// <summary>The label ends in `#`: it matches whatever is left.</summary>
    public const int Everything = -2;

    /// <summary>Where the topic's next level begins after it went through a label.</summary>
    /// <param name="label">Whole levels of a filter, `+/m/#`.</param>
    /// <param name="topic">A topic name.</param>
    /// <param name="at">Where the level begins that has to match the label's first.</param>
    /// <returns>The place after the separator, which is the topic's length plus one if no level is left; or <see cref="Mismatch"/> or
    /// <see cref="Everything"/>.</returns>
    public static int Pass(ReadOnlySpan<byte> label, ReadOnlySpan<byte> topic, int at)
    {
        while (true)
        {
            var same = label.CommonPrefixLength(topic[at..]);
            label = label[same..];
            at += same;
            if (label.IsEmpty) return at == topic.Length || topic[at] == TopicLevels.Separator ? at + 1 : Mismatch;
            switch (label[0])
            {
                case (byte)'+': // no topic holds one, so this is where the common part ends, at the beginning of a level
                    label = label[1..];
                    at = LevelEnd(topic, at);
                    break;
                case (byte)'#':
                    return Everything;
                default:
                    return at == topic.Length && label is [TopicLevels.Separator, (byte)'#'] ? Everything : Mismatch; // the parent level
            }
        }
    }

    /// <summary>Where the level that begins at <paramref name="at"/> ends.</summary>
    public static int LevelEnd(ReadOnlySpan<byte> topic, int at)
    {
        var length = topic[at..].IndexOf(TopicLevels.Separator);
        return length < 0 ? topic.Length : at + length;
    }

    /// <summary>How many bytes of whole levels two paths have in common; `ab/c` and `ab/d/e` two, `ab` and `abc` none (0 or less).</summary>
    public static int SharedLevels(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var same = left.CommonPrefixLength(right);
        var leftStops = same == left.Length || left[same] == TopicLevels.Separator;
        var rightStops = same == right.Length || right[same] == TopicLevels.Separator;
        return leftStops && rightStops ? same : left[..same].LastIndexOf(TopicLevels.Separator);
    }
}
