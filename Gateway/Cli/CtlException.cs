namespace Broker.Gateway.Cli;

/// <summary>How a command ends.</summary>
internal enum ExitCode
{
    Done = 0,

    /// <summary>The broker has refused, or has no such thing.</summary>
    Refused = 1,

    /// <summary>It was not written as it has to be.</summary>
    Usage = 2,

    /// <summary>The broker cannot be reached.</summary>
    Unreachable = 3,
}

/// <summary>Why a command is not done, in words for whoever gave it.</summary>
internal sealed class CtlException(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code => code;

    public static CtlException Refused(string message) => new(ExitCode.Refused, message);

    public static CtlException Usage(string message) => new(ExitCode.Usage, message);
}
