using Broker.Gateway.Configuration;
using Broker.Gateway.Security.Rules;
using Broker.Gateway.Security.Sources.Http;
using Broker.Gateway.Security.Sources.Jwt;
using Broker.Gateway.Security.Sources.Ldap;
using Broker.Gateway.Security.Sources.MongoDb;
using Broker.Gateway.Security.Sources.Redis;
using Broker.Gateway.Security.Sources.Sql;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security.Sources;

/// <summary>The sources that the configuration names: servers, tokens, a file of rules. With other settings they are made anew, and those before end when nobody can be waiting for them any more.</summary>
internal sealed class SourceHost(IConfiguration start, SourceInstruments instruments, AnswerEpoch epoch, TimeProvider time, ILoggerFactory loggers) : ISettingTarget, IHostedService, IDisposable
{
    /// <summary>No question to a source takes longer.</summary>
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = new();
    private Generation current = Generation.None;

    /// <summary>There are other sources.</summary>
    public event Action? Changed;

    public IReadOnlyList<IAuthenticator> Authenticators => current.Authenticators;

    public IReadOnlyList<IAuthorizer> Authorizers => current.Authorizers;

    /// <summary>The sources that are reached over the network, by name, and whether they cannot be. One that is down is found to be back when it is next asked.</summary>
    public IEnumerable<(string Name, bool IsDown)> Reachable =>
        current.Services is not { } services ? []
        : services.GetServices<SourceGuard>().Select(one => (one.Name, one.IsDown)).Concat(services.GetService<PublishedKeys>() is { } keys ? [("jwt", keys.IsFailing)] : []);

    public IReadOnlyList<SettingSection> Sections { get; } =
    [
        new(MySqlSourceOptions.Section, typeof(MySqlSourceOptions)), new(PostgreSqlSourceOptions.Section, typeof(PostgreSqlSourceOptions)),
        new(RedisOptions.Section, typeof(RedisOptions)), new(MongoOptions.Section, typeof(MongoOptions)), new(LdapOptions.Section, typeof(LdapOptions)),
        new(HttpOptions.Section, typeof(HttpOptions)), new(JwtOptions.Section, typeof(JwtOptions)), new(AclFileOptions.Section, typeof(AclFileOptions)),
    ];

    private sealed record Generation(IConfiguration Configuration, ServiceProvider? Services, IAuthenticator[] Authenticators, IAuthorizer[] Authorizers)
    {
        public static Generation None { get; } = new(new ConfigurationBuilder().Build(), null, [], []);

        public IEnumerable<IHostedService> Running => Services?.GetServices<IHostedService>() ?? [];
    }

    /// <exception cref="OptionsValidationException">What the process was started with is not right.</exception>
    public async Task StartAsync(CancellationToken cancellationToken) => await ReplaceAsync(start);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        await HaltAsync(current);
        await EndAsync(current);
    }

    public void Dispose() => stopping.Dispose();

    public IEnumerable<string> Check(IConfiguration configuration)
    {
        try
        {
            using var services = Compose(configuration);
            return [];
        }
        catch (OptionsValidationException wrong)
        {
            return wrong.Failures;
        }
        catch (InvalidOperationException wrong) // the binder's word for a value of another kind
        {
            return [wrong.Message];
        }
    }

    public async Task<string[]> ApplyAsync(IConfiguration configuration)
    {
        if (Read(configuration).SequenceEqual(Read(current.Configuration))) return [];
        try
        {
            await ReplaceAsync(configuration);
            return [];
        }
        catch (OptionsValidationException wrong)
        {
            return [.. wrong.Failures];
        }
    }

    public IEnumerable<KeyValuePair<string, string?>> Describe() => Sections.SelectMany(one => SettingKey.Flatten(one.Name, current.Configuration.GetSection(one.Name).Get(one.Type), one.Type));

    private async Task ReplaceAsync(IConfiguration configuration)
    {
        var before = current;
        current = await MakeAsync(configuration);
        Changed?.Invoke();
        await HaltAsync(before);
        if (before.Services is not null) _ = EndLaterAsync(before);
    }

    /// <exception cref="OptionsValidationException">Something is not right.</exception>
    private async Task<Generation> MakeAsync(IConfiguration configuration)
    {
        var services = Compose(configuration);
        try
        {
            var made = new Generation(configuration, services, [.. services.GetServices<IAuthenticator>()], [.. services.GetServices<IAuthorizer>()]);
            foreach (var one in made.Running) await one.StartAsync(stopping.Token);
            return made;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <exception cref="OptionsValidationException">Something is not right.</exception>
    private ServiceProvider Compose(IConfiguration configuration)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddConfiguration(configuration);
        builder.AddSources();
        builder.Services.AddSingleton(instruments).AddSingleton(epoch).AddSingleton(time).AddSingleton(loggers);
        var services = builder.Services.BuildServiceProvider();
        try
        {
            services.GetService<IStartupValidator>()?.Validate();
            return services;
        }
        catch
        {
            services.Dispose();
            throw;
        }
    }

    private IEnumerable<KeyValuePair<string, string?>> Read(IConfiguration configuration) =>
        Sections.SelectMany(one => configuration.GetSection(one.Name).AsEnumerable().Where(entry => entry.Value is not null).OrderBy(entry => entry.Key, StringComparer.OrdinalIgnoreCase));

    private async Task EndLaterAsync(Generation generation)
    {
        await Task.Delay(LongestQuestion, time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await EndAsync(generation);
    }

    /// <summary>What is remembered is not renewed any more.</summary>
    private static async Task HaltAsync(Generation generation)
    {
        foreach (var one in generation.Running) await one.StopAsync(CancellationToken.None);
    }

    private static ValueTask EndAsync(Generation generation) => generation.Services?.DisposeAsync() ?? default;
}
