using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Rules;

/// <summary>The rules of a file, the last source if no order is configured. They are read again when the file has changed; a file that cannot be read then leaves them as they are.</summary>
internal sealed partial class FileAuthorizer : BackgroundService, IAuthorizer
{
    private readonly AclFileOptions options;
    private readonly AnswerEpoch epoch;
    private readonly TimeProvider time;
    private readonly ILogger<FileAuthorizer> log;
    private RuleSet rules;
    private (DateTime WrittenAt, long Length) known;

    /// <exception cref="RuleFormatException">The file is not one of rules.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public FileAuthorizer(IOptions<AclFileOptions> options, AnswerEpoch epoch, TimeProvider time, ILogger<FileAuthorizer> log)
    {
        (this.options, this.epoch, this.time, this.log) = (options.Value, epoch, time, log);
        known = Look(this.options.Path);
        rules = Load(this.options.Path);
    }

    public const string SourceName = "file";

    public string Name => SourceName;

    public bool HasNoRules => rules.Count == 0;

    public ValueTask<AuthorizationResult> AuthorizeAsync(ClientInfo client, TopicAccess access, string topic) => ValueTask.FromResult(Volatile.Read(ref rules).Match(client, access, topic));

    /// <summary>Reads a file of rules.</summary>
    /// <inheritdoc cref="FileAuthorizer(IOptions{AclFileOptions}, AnswerEpoch, TimeProvider, ILogger{FileAuthorizer})" path="/exception"/>
    public static RuleSet Load(string path)
    {
        var text = File.ReadAllText(path);
        return path.EndsWith(".conf", StringComparison.OrdinalIgnoreCase) ? AclConfReader.Read(text) : RuleFileReader.Read(text);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.ReloadInterval == TimeSpan.Zero) return;
        using var timer = new PeriodicTimer(options.ReloadInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Refresh();
        }
        catch (OperationCanceledException)
        {
            // The process stops.
        }
    }

    private void Refresh()
    {
        try
        {
            var now = Look(options.Path);
            if (now == known) return;
            known = now; // one attempt, and one word, for each change
            var read = Load(options.Path);
            Volatile.Write(ref rules, read);
            epoch.Next();
            LogRead(log, options.Path, read.Count);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or RuleFormatException)
        {
            LogUnreadable(log, options.Path, fault.Message);
        }
    }

    private static (DateTime, long) Look(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }

    [LoggerMessage(1, LogLevel.Information, "Read {Path} again: {Count} access rules")]
    private static partial void LogRead(ILogger log, string path, int count);

    [LoggerMessage(2, LogLevel.Error, "{Path} has changed and cannot be used, the rules stay as they were: {Reason}")]
    private static partial void LogUnreadable(ILogger log, string path, string reason);
}

/// <summary>Stops the start at a file that cannot be used.</summary>
internal sealed class AclFileValidator : IValidateOptions<AclFileOptions>
{
    public ValidateOptionsResult Validate(string? name, AclFileOptions options)
    {
        if (options.Path.Length == 0) return ValidateOptionsResult.Skip;
        try
        {
            FileAuthorizer.Load(options.Path);
            return ValidateOptionsResult.Success;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or RuleFormatException)
        {
            return ValidateOptionsResult.Fail($"{AclFileOptions.Section}:Path = {options.Path}: {fault.Message}");
        }
    }
}
