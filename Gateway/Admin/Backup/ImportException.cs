namespace Broker.Gateway.Admin.Backup;

/// <summary>A document that is not taken; nothing of it was. The message says what is wrong, and where.</summary>
internal sealed class ImportException(string message) : Exception(message)
{
    /// <summary>It is of a version that is not understood.</summary>
    public bool IsVersion { get; init; }
}
