using System.IO.Hashing;

namespace Broker.Grains.Retained;

/// <summary>Tells entries apart by topic. The seed keeps clients from choosing topics that meet in one bucket.</summary>
internal sealed class SeededTopicComparer<TValue>
    : IEqualityComparer<RetainedEntry<TValue>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, RetainedEntry<TValue>>
    where TValue : class
{
    private readonly long seed = Random.Shared.NextInt64();

    public bool Equals(RetainedEntry<TValue>? x, RetainedEntry<TValue>? y) =>
        ReferenceEquals(x, y) || (x is not null && y is not null && Equals(x.Topic.Utf8, y));

    public int GetHashCode(RetainedEntry<TValue> obj) => GetHashCode(obj.Topic.Utf8);

    public bool Equals(ReadOnlySpan<byte> alternate, RetainedEntry<TValue> other) => alternate.SequenceEqual(other.Topic.Utf8);

    public int GetHashCode(ReadOnlySpan<byte> alternate) => (int)XxHash3.HashToUInt64(alternate, seed);

    public RetainedEntry<TValue> Create(ReadOnlySpan<byte> alternate) => throw new NotSupportedException("An entry needs a value.");
}
