namespace Broker.Grains.Interfaces.Messages;

/// <summary>A receipt that is awaited.</summary>
public sealed class TaskReceipt : PublishReceipt
{
    private readonly TaskCompletionSource<ReasonCode> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when all have answered.</summary>
    public Task<ReasonCode> Completion => completion.Task;

    /// <inheritdoc/>
    protected override void OnComplete(ReasonCode code) => completion.TrySetResult(code);
}
