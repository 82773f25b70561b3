namespace Broker.Gateway.Security;

/// <summary>Counts the changes of access rules in this process: what connections remember from before one does not hold any more. Thread-safe.</summary>
internal sealed class AnswerEpoch
{
    private int current;

    public int Current => Volatile.Read(ref current);

    /// <summary>Makes every connection of this process ask anew: rules have changed.</summary>
    public void Next() => Interlocked.Increment(ref current);
}
