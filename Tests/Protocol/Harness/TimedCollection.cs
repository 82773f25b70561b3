using Xunit;

namespace Broker.Tests.Protocol.Harness;

/// <summary>Tests that measure rates, and those that take all of the processors: no other runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TimedCollection
{
    public const string Name = "timed";
}
