namespace Broker.Grains.Storage.Writes;

/// <summary>Reads a setting, or stores the given value if there is none.</summary>
internal sealed class GetOrCreateSetting(string name, string value) : StoreWrite
{
    private readonly TaskCompletionSource<string> found = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>The value offered before, the value stored after execution.</summary>
    public string Value { get; set; } = value;

    /// <summary>Ends after COMMIT with the stored value.</summary>
    public Task<string> Found => found.Task;

    /// <inheritdoc/>
    public override bool CarriesData => true;

    /// <inheritdoc/>
    internal override void Committed() => found.TrySetResult(Value);

    /// <inheritdoc/>
    internal override void Failed(StoreException reason) => found.TrySetException(reason);
}
