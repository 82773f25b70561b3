namespace Broker.Grains.Interfaces.Configuration;

/// <summary>Where this process keeps files of its own.</summary>
/// <param name="Path">Absolute; it need not exist.</param>
public sealed record DataFolder(string Path);
