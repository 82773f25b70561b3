namespace Broker.Grains.Storage.MySql;

/// <summary>Names shared bodies. Writer thread.</summary>
/// <param name="start">A number no other start of any node has: ids are unique without asking, across nodes and for ever.</param>
internal sealed class BodyIds(long start)
{
    private const int CounterBits = 40;

    private long last = start << CounterBits;

    /// <summary>The id of a shared body, given at its first use.</summary>
    public long Identify(SharedBody body)
    {
        if (body.Id == 0) body.Id = ++last;
        return body.Id;
    }
}
