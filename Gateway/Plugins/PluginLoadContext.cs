using System.Reflection;
using System.Runtime.Loader;
using Broker.Grains.Interfaces.Plugins;

namespace Broker.Gateway.Plugins;

/// <summary>Loads one plugin apart from the broker and other plugins: with its own versions of what it uses, but for the contract and what that speaks of.</summary>
internal sealed class PluginLoadContext(string name, string assembly) : AssemblyLoadContext(name, isCollectible: true)
{
    private static readonly HashSet<string> Shared =
        [typeof(IPlugin).Assembly.GetName().Name!, .. typeof(IPlugin).Assembly.GetReferencedAssemblies().Select(one => one.Name!)];

    private readonly AssemblyDependencyResolver resolver = new(assembly);

    protected override Assembly? Load(AssemblyName assemblyName) =>
        !Shared.Contains(assemblyName.Name!) && resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : nint.Zero;
}
