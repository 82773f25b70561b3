namespace Broker.Grains.Interfaces.Messages;

/// <summary>Collects the answers of everybody who must have a message before its publisher is told so (promise 1).</summary>
/// <remarks>Thread-safe. Whoever takes on a part of the work calls <see cref="Expect"/> before it returns to the router and
/// <see cref="Answer"/> once, on any thread, when that part is safe or has failed. The maker holds one answer open until all parts are known.</remarks>
public abstract class PublishReceipt
{
    private int open = 1;
    private int failure;

    /// <summary>One more answer is awaited.</summary>
    public void Expect() => Interlocked.Increment(ref open);

    /// <summary>An awaited answer. The first that is a failure becomes the outcome.</summary>
    public void Answer(ReasonCode code)
    {
        if (code >= ReasonCode.UnspecifiedError) Interlocked.CompareExchange(ref failure, (int)code, 0);
        if (Interlocked.Decrement(ref open) == 0) OnComplete((ReasonCode)Volatile.Read(ref failure));
    }

    /// <summary>All have answered. Runs on the thread of the last answer, which may hold locks or be a store's writer: hand over, do not work here.</summary>
    /// <param name="code">Success, or the first failure.</param>
    protected abstract void OnComplete(ReasonCode code);
}
