using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Retained;

/// <summary>Tells entries apart by topic. By a seeded hash, as clients choose the topics.</summary>
internal sealed class TopicComparer<TValue>
    : IEqualityComparer<RetainedEntry<TValue>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, RetainedEntry<TValue>>
    where TValue : class
{
    public bool Equals(RetainedEntry<TValue>? x, RetainedEntry<TValue>? y) =>
        ReferenceEquals(x, y) || (x is not null && y is not null && Equals(x.Topic.Utf8, y));

    public int GetHashCode(RetainedEntry<TValue> obj) => GetHashCode(obj.Topic.Utf8);

    public bool Equals(ReadOnlySpan<byte> alternate, RetainedEntry<TValue> other) => alternate.SequenceEqual(other.Topic.Utf8);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => SeededHash.Of(alternate);

    public RetainedEntry<TValue> Create(ReadOnlySpan<byte> alternate) => throw new NotSupportedException("An entry needs a value.");
}
