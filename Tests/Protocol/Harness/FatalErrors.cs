using Microsoft.Extensions.Logging;

namespace Broker.Tests.Protocol.Harness;

/// <summary>What would end a broker's process is an error of that broker here: the test says what it was, and the others go on.</summary>
internal sealed class FatalErrors(ILogger<FatalErrors> log) : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception) => log.LogError(exception, "Fatal error from {Sender}: {Context}", sender, context);
}
